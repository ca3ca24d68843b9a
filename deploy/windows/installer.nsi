; The agent's installer. Silent with /S, as schools roll it out, with the school's bundle:
; /BUNDLE=FILE, else the one schoolpulse-*.zip that lies beside the installer, else an agent.toml
; there. /ROOM=NAME sets the PC's room, /REPLACE moves it to another school. The service starts at
; once. Exit code 0: done, or the service is there and starts with the PC; 1: not installed as a
; service, and %PROGRAMDATA%\SchoolPulse\install.log says why; 2: files could not be written;
; 3: no such bundle, or several beside the installer; nothing was changed.
; The uninstaller leaves nothing; with /KEEP the settings and what waits to be sent stay.
Target amd64-unicode
Name "SchoolPulse 校园脉搏"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\SchoolPulse"
RequestExecutionLevel admin
SetCompressor /SOLID lzma
VIProductVersion "0.0.0.0"

!include FileFunc.nsh
!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\SchoolPulse"
!define UTF8 65001

Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Var Data
Var Code ; the exit code of the agent
Var Said ; what it said
Var From ; where the settings come from, as words to the agent

!macro Start
  SetRegView 64
  SetShellVarContext all
  StrCpy $Data "$APPDATA\SchoolPulse" ; of all users: C:\ProgramData
!macroend

; Run the agent; $Code and $Said tell how it went. What a pipe brings is read in the PC's own code
; page, so the words come from a file where the agent has written one.
!macro Agent WORDS
  nsExec::ExecToStack '"$INSTDIR\schoolpulse-agent.exe" ${WORDS}'
  Pop $Code
  Pop $Said
  DetailPrint `schoolpulse-agent ${WORDS}: $Code`
!macroend

Function .onInit
  !insertmacro Start
  Call FindSettings
FunctionEnd

; $From, before the current folder changes.
Function FindSettings
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/BUNDLE=" $1
  IfErrors beside
    GetFullPathName $2 "$1" ; empty where there is none
    StrCmp $2 "" missing
    StrCpy $From '"$2"'
    Goto more
  beside:
  FindFirst $3 $1 "$EXEDIR\schoolpulse-*.zip"
  StrCmp $1 "" settings
    StrCpy $From '"$EXEDIR\$1"'
    FindNext $3 $1
    FindClose $3
    StrCmp $1 "" more several
  settings:
  FindClose $3
  IfFileExists "$EXEDIR\agent.toml" 0 more
    StrCpy $From '--config "$EXEDIR\agent.toml"'
  more:
  ClearErrors
  ${GetOptions} $0 "/ROOM=" $1
  IfErrors +2
    StrCpy $From '$From --room "$1"'
  ClearErrors
  ${GetOptions} $0 "/REPLACE" $1
  IfErrors +2
    StrCpy $From '$From --replace'
  Return
  missing:
    SetErrorLevel 3
    MessageBox MB_OK|MB_ICONSTOP "没有这个配置包：$1" /SD IDOK
    Quit
  several:
    SetErrorLevel 3
    MessageBox MB_OK|MB_ICONSTOP "$EXEDIR 里有几个配置包：用 /BUNDLE=文件 说明用哪一个" /SD IDOK
    Quit
FunctionEnd

Function un.onInit
  !insertmacro Start
FunctionEnd

Function ReadLog ; $Said from install.log, which is UTF-8
  IfFileExists "$Data\install.log" 0 none
    FileOpen $1 "$Data\install.log" r
    System::Alloc 2048
    Pop $2
    System::Call 'kernel32::ReadFile(p r1, p r2, i 2047, *i, p 0)'
    System::Call 'kernel32::MultiByteToWideChar(i ${UTF8}, i 0, p r2, i -1, w .r3, i ${NSIS_MAX_STRLEN})'
    System::Free $2
    FileClose $1
    StrCpy $Said $3
  none:
FunctionEnd

Section
  ; An older one is stopped first, or its files could not be replaced; what it no longer has goes.
  IfFileExists "$INSTDIR\schoolpulse-agent.exe" 0 fresh
    !insertmacro Agent "uninstall"
    RMDir /r "$INSTDIR\_internal"
  fresh:
  SetOutPath "$INSTDIR"
  ClearErrors
  SetOverwrite try
  File /r "${FOLDER}\*.*"
  File "/oname=agent.sample.toml" "${SAMPLE}"
  IfErrors 0 written
    SetErrorLevel 2
    MessageBox MB_OK|MB_ICONSTOP "写不了 $INSTDIR：关掉正在运行的 schoolpulse-agent，看看磁盘是否已满，再装一次。" /SD IDOK
    Abort
  written:
  CreateDirectory "$Data"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "${KEY}" "DisplayName" "SchoolPulse 校园脉搏"
  WriteRegStr HKLM "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${KEY}" "Publisher" "SchoolPulse"
  WriteRegStr HKLM "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${KEY}" "NoRepair" 1

  StrCmp $From "" 0 given
  IfFileExists "$Data\agent.toml" 0 unset
  given:
    Delete "$Data\install.log"
    !insertmacro Agent 'install $From --log "$Data\install.log"'
    Call ReadLog
    DetailPrint "$Said"
    StrCmp $Code 0 done
    IfFileExists "$Data\install.log" said ; a program that cannot even run writes none
      FileOpen $1 "$Data\install.log" w
      FileWrite $1 "$Said"
      FileClose $1
    said:
    SetErrorLevel 1
    MessageBox MB_OK|MB_ICONSTOP "程序已装好，服务没有装好（$Code）：$\n$\n$Said$\n$\n见 $Data\install.log" /SD IDOK
    Goto done
  unset:
    DetailPrint "没有配置包：运行 schoolpulse-agent install 配置包"
  done:
SectionEnd

Section Uninstall
  ; Without a trace: the service, the program, its settings and its data; by name, because the
  ; folder may be one that others use too.
  ${GetParameters} $1
  ClearErrors
  ${GetOptions} $1 "/KEEP" $2
  IfErrors 0 keep
  MessageBox MB_YESNO|MB_ICONQUESTION "配置和还没有送达的报告也删除吗？" /SD IDYES IDNO keep
    StrCpy $R0 "purge"
    !insertmacro Agent "uninstall --purge"
    Goto told
  keep:
    !insertmacro Agent "uninstall"
  told:
  StrCmp $Code 0 removed
  StrCmp $Code 1 refused
  StrCmp $Code 2 refused
  ; No answer of ours: the program is broken, and must be removable all the same.
  nsExec::Exec 'sc stop SchoolPulseAgent'
  Pop $1
  nsExec::Exec 'sc delete SchoolPulseAgent'
  Pop $1
  nsExec::Exec 'sc stop SchoolPulseUpdate'
  Pop $1
  nsExec::Exec 'sc delete SchoolPulseUpdate'
  Pop $1
  Goto removed
  refused:
    SetErrorLevel 1
    MessageBox MB_OK|MB_ICONSTOP "没有卸掉（$Code）：$\n$\n$Said" /SD IDOK
    Abort
  removed:
  StrCmp $R0 "purge" 0 +3
    RMDir /r /REBOOTOK "$Data"
    RMDir /r /REBOOTOK "$INSTDIR-update"
  RMDir /r /REBOOTOK "$INSTDIR\_internal"
  Delete /REBOOTOK "$INSTDIR\schoolpulse-agent.exe"
  Delete "$INSTDIR\agent.sample.toml"
  Delete "$INSTDIR\uninstall.exe"
  RMDir /REBOOTOK "$INSTDIR"
  DeleteRegKey HKLM "${KEY}"
SectionEnd
